import { defineSettings } from "@ragline/config";

/** Which files of `--input` are read, and what one may cost. */
export const readingSettings = defineSettings({
  include: {
    type: "list",
    verbatim: true,
    default: null,
    description:
      "Globs of the files to read, from the input directory; one without a slash matches names at any depth. All of a known kind by default.",
  },
  exclude: {
    type: "list",
    verbatim: true,
    default: null,
    description: "Globs of files and directories to pass over.",
  },
  gitignore: {
    type: "boolean",
    default: true,
    description: "Pass over what the .gitignore files of the searched directories name.",
  },
  maxFileBytes: {
    type: "integer",
    default: 67_108_864,
    minimum: 1,
    maximum: 536_870_888,
    description: "Files above this many bytes are skipped.",
  },
  fileTimeout: {
    type: "integer",
    default: 60_000,
    minimum: 100,
    maximum: 3_600_000,
    description: "Milliseconds that the parser of one file may take before the file is skipped.",
  },
});
