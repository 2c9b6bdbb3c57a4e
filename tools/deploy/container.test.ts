import { existsSync, readFileSync } from "node:fs";
import { DockerfileParser, type Instruction } from "dockerfile-ast";
import { validate } from "dockerfile-utils";
import { expect, test } from "vitest";
import { raglineServices, readCompose } from "./compose-file.js";

const path = "deploy/container/Containerfile";
const text = readFileSync(path, "utf8");
const instructions = DockerfileParser.parse(text).getInstructions();

/** The arguments of the instructions of one kind, comments and line ends left out. */
function argumentsOf(keyword: string, among: readonly Instruction[] = instructions): string[] {
  const found = among.filter((instruction) => instruction.getKeyword() === keyword);
  return found.map((instruction) =>
    instruction
      .getExpandedArguments()
      .map((each) => each.getValue())
      .join(" "),
  );
}

/** The instructions of one stage. */
function stage(name: string): Instruction[] {
  const froms = instructions.filter((each) => each.getKeyword() === "FROM");
  const start = froms.find((each) => each.getArgumentsContent()?.endsWith(` AS ${name}`));
  const next = start && froms[froms.indexOf(start) + 1];
  return instructions.slice(start && instructions.indexOf(start), next && instructions.indexOf(next));
}

test("the Containerfile has nothing that a linter warns of", () => {
  expect(validate(text).map(({ message, range }) => [range.start.line + 1, message])).toEqual([]);
});

test("every base is pinned by version, or is a stage", () => {
  const stages = new Set<string>();
  for (const from of argumentsOf("FROM")) {
    const [base = "", , name = ""] = from.split(" ");
    if (!stages.has(base)) expect(base).toMatch(/^docker\.io\/[a-z]+\/[a-z]+:\d+\.\d+(\.\d+)?(-[a-z0-9.-]+)?$/);
    stages.add(name);
  }
  expect([...stages]).toEqual(expect.arrayContaining(["cpu", "gpu"]));
});

test.each(["cpu", "gpu"])(
  "target %s runs ragline as a user without rights and holds no tools to build with",
  (name) => {
    const own = stage(name);
    expect(argumentsOf("USER", own)).toEqual(["10001:10001"]);
    expect(argumentsOf("ENTRYPOINT", own)).toEqual(['["ragline"]']);
    expect(argumentsOf("RUN", own).join()).not.toMatch(/apt|npm|curl/);
  },
);

test("both targets end alike", () => {
  const end = (name: string) =>
    stage(name)
      .slice(1)
      .map((each) => each.getTextContent().replace("build-gpu", "build"));
  expect(end("gpu")).toEqual(end("cpu"));
});

test("what is copied from the repository exists and is let through", () => {
  const allowed = readFileSync(`${path}.dockerignore`, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("!"));
  const fromContext = instructions.filter((each) => !each.getTextContent().includes("--from="));
  const copied = argumentsOf("COPY", fromContext);
  const sources = copied.flatMap((each) => each.split(" ").slice(0, -1));
  expect(sources.length).toBeGreaterThan(5);
  for (const source of sources) {
    expect(existsSync(source), source).toBe(true);
    expect(allowed).toContain(`!${source}`);
  }
});

test("the folders that compose mounts volumes on exist in the image and belong to its user", () => {
  const made = argumentsOf("RUN", stage("cpu")).join(" ");
  const mounts = raglineServices(readCompose("deploy/compose/compose.yaml")).flatMap(([, { volumes = [] }]) =>
    volumes.filter((each) => !each.endsWith(":ro")).map((each) => each.slice(each.lastIndexOf(":") + 1)),
  );
  expect(mounts).toContain("/out");
  expect(made).toContain(`install -d -o 10001 -g 10001 ${[...new Set(mounts)].sort().join(" ")}`);
});
