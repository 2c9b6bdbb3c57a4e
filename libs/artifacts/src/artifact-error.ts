import { isMissing } from "@ragline/files";

/** What kind of trouble a file gave; a service maps it to its status code. */
export type ArtifactErrorReason =
  /** Something that should be there is not. */
  | "NOT_FOUND"
  /** The file is there but cannot be read. */
  | "UNREADABLE"
  /** The contents are not what the format demands. */
  | "INVALID_FORMAT"
  /** The file is as it should be and has nothing in it. */
  | "EMPTY"
  /** The caller gave a name, shape or value that cannot be used. */
  | "INVALID_ARGUMENT"
  /** The place to write to cannot be used as it is. */
  | "OUTPUT_UNUSABLE"
  /** The file system has no room left. */
  | "DISK_FULL";

/** A file that cannot be read or written. The message is a sentence: what, where, and what to do. */
export class ArtifactError extends Error {
  readonly reason: ArtifactErrorReason;

  constructor(reason: ArtifactErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ArtifactError";
    this.reason = reason;
  }
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** An error of the file system, met while writing to `path`, as a sentence. Other errors are returned as they are. */
export function writeError(error: unknown, path: string): unknown {
  const sentence = (reason: ArtifactErrorReason, text: string) => new ArtifactError(reason, text, { cause: error });
  switch (errorCode(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return sentence(
        "DISK_FULL",
        `The disk is full: ${path} could not be written. Free some space or choose another output directory.`,
      );
    case "EFBIG":
      return sentence(
        "DISK_FULL",
        `${path} grew longer than the file system allows. Choose an output directory on another file system.`,
      );
    case "EACCES":
    case "EPERM":
      return sentence(
        "OUTPUT_UNUSABLE",
        `${path} is not writable for this user. Change its permissions or choose another output directory.`,
      );
    case "EROFS":
      return sentence("OUTPUT_UNUSABLE", `${path} is on a read-only file system. Choose another output directory.`);
    case "EEXIST":
    case "ENOTDIR":
      return sentence(
        "OUTPUT_UNUSABLE",
        `${path} cannot be made: a part of that path is a file. Choose another output directory or move the file away.`,
      );
    case "ENOENT":
      return sentence(
        "OUTPUT_UNUSABLE",
        `${path} cannot be made there, or vanished while it was written. Choose another output directory, or let nothing else change this one.`,
      );
    case "ENAMETOOLONG":
      return sentence(
        "OUTPUT_UNUSABLE",
        `The name ${path} is too long for the file system. Choose a shorter export prefix or output directory.`,
      );
    case "EIO":
      return sentence(
        "OUTPUT_UNUSABLE",
        `The disk failed while ${path} was written. Check the disk or choose another output directory.`,
      );
    default:
      return error;
  }
}

/** An error of the file system, met while reading `path`, as a sentence. Other errors are returned as they are. */
export function readError(error: unknown, path: string): unknown {
  if (isMissing(error))
    return new ArtifactError("NOT_FOUND", `${path} does not exist. Check the path.`, { cause: error });
  switch (errorCode(error)) {
    case "EACCES":
    case "EPERM":
      return new ArtifactError("UNREADABLE", `${path} cannot be read by this user. Change its permissions.`, {
        cause: error,
      });
    case "EISDIR":
      return new ArtifactError("UNREADABLE", `${path} is a directory, but a file is expected. Check the path.`, {
        cause: error,
      });
    case "EIO":
      return new ArtifactError("UNREADABLE", `The disk failed while ${path} was read. Check the disk.`, {
        cause: error,
      });
    default:
      return error;
  }
}
