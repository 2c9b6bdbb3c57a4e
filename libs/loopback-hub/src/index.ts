export { type Fault, gitSha1, type HubRepository, type HubRequest, LoopbackHub, sha256 } from "./loopback-hub.js";
