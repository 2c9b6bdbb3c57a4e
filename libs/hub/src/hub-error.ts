/** What went wrong with a file of the hub. */
export type HubProblem =
  /** It is not on this machine, and nothing may be downloaded. */
  | "offline"
  /** The hub has no such repository, revision or file. */
  | "not_found"
  /** The hub wants a token, or another one. */
  | "unauthorized"
  /** The authors want their terms accepted first. */
  | "gated"
  /** The hub cannot be reached, or keeps failing. */
  | "unreachable"
  /** What the hub says or sends is nothing that may be kept. */
  | "refused"
  /** The bytes are not those that were promised. */
  | "damaged"
  /** The bytes are not those that were pinned. */
  | "differs"
  | "disk_full"
  | "cannot_write";

/** A file of the hub that could not be had. The message is a sentence for the user, with no token and no signed address. */
export class HubError extends Error {
  override readonly name = "HubError";
  readonly problem: HubProblem;

  constructor(problem: HubProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}
