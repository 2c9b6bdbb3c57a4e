const inputFlags = ["--input", "--collections", "--chunked-dir"];
const outputFlags = ["--output-dir"];

/**
 * The arguments of the main job: the repository's own docs into ./ragline-out, unless the user names other inputs or
 * another output.
 *
 * @param {string[]} userArguments what stood after `npm start --`
 * @returns {string[]} the arguments for `ragline`
 */
export function startArguments(userArguments) {
  const has = (/** @type {string[]} */ flags) =>
    userArguments.some((argument) => flags.some((flag) => argument === flag || argument.startsWith(`${flag}=`)));
  return [
    "run",
    ...(has(inputFlags) ? [] : ["--input", "docs"]),
    ...(has(outputFlags) ? [] : ["--output-dir", "ragline-out"]),
    ...userArguments,
  ];
}
