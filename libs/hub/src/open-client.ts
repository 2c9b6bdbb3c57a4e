import type { HubClient, HubClientOptions } from "./hub-client.js";

/**
 * A client of the hub. Its module is loaded only now: most processes never speak with a hub, and would start later for it.
 * @throws HubError when the endpoint is no web address.
 */
export async function openClient(options: HubClientOptions): Promise<HubClient> {
  const { HubClient } = await import("./hub-client.js");
  return new HubClient(options);
}
