import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { HubError } from "./hub-error.js";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the hub is unless somebody says otherwise. */
export const defaultEndpoint = "https://huggingface.co";

/** Hugging Face's own folder: HF_HOME, or `huggingface` in the user's cache. */
function hubHome(home: string | null | undefined, env: Environment): string {
  return home || env["HF_HOME"] || join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "huggingface");
}

/**
 * The folder of the hub's cache, with a folder `models--<owner>--<name>` for each repository: the one that was asked
 * for, else HF_HUB_CACHE, else `hub` below HF_HOME. One that was asked for may also be an HF_HOME.
 */
export function hubCacheDir(
  asked: { readonly cacheDir?: string | null; readonly home?: string | null } = {},
  env: Environment = process.env,
): string {
  const direct = asked.cacheDir || (asked.home ? undefined : env["HF_HUB_CACHE"] || env["HUGGINGFACE_HUB_CACHE"]);
  if (!direct) return join(hubHome(asked.home, env), "hub");
  const below = join(direct, "hub");
  const isHome = existsSync(below) && !readdirSync(direct).some((name) => name.startsWith("models--"));
  return isHome ? below : direct;
}

/**
 * The user's token: HF_TOKEN, or the file that `huggingface-cli login` writes. Never recorded, never shown.
 * @throws HubError when it has characters that no token has; the message does not hold it.
 */
export function hubToken(home?: string | null, env: Environment = process.env): string | undefined {
  let token = env["HF_TOKEN"] || env["HUGGING_FACE_HUB_TOKEN"];
  let place = "HF_TOKEN";
  if (!token) {
    place = env["HF_TOKEN_PATH"] || join(hubHome(home, env), "token");
    try {
      token = readFileSync(place, "utf8");
    } catch {
      return undefined;
    }
  }
  token = token.trim();
  if (token === "") return undefined;
  if (!/^[\x21-\x7e]+$/.test(token)) throw new HubError("unauthorized", `${place} holds characters that no token has`);
  return token;
}
