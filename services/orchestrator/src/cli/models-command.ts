import { modelSettings } from "@ragline/models";
import { type Command, Option } from "commander";
import { addSettings } from "./setting-options.js";

const precisionOption = (): Option =>
  new Option("--precision <name>", "Which graph: what a run would take here, one by name, or all of them.")
    .choices(["auto", "fp32", "fp16", "int8", "q4", "all"])
    .default("auto");

/** Adds `ragline models` with its commands. Each loads its module only when it is used. */
export function addModelsCommand(program: Command): void {
  const models = program
    .command("models")
    .description("The models that there are, and their files: list, show, pull, verify, remove, prune, add.");

  const add = (usage: string, description: string): Command =>
    addSettings(models.command(usage).description(description), modelSettings).option(
      "--json",
      "Print one JSON object; everything else goes to stderr.",
    );

  const list = add("list", "List the models of the registry and your own, and which are on this machine.");
  list.addOption(new Option("--stage <stage>", "Models of one stage alone.").choices(["dense", "sparse", "rerank"]));
  list.action(async () => {
    const { listAction } = await import("./models-list-action.js");
    process.exitCode = await listAction(list);
  });

  const show = add("show <model>", "Show everything that is known of a model, and where its files are.");
  show.action(async (name: string) => {
    const { showAction } = await import("./models-list-action.js");
    process.exitCode = await showAction(show, name);
  });

  const pull = add("pull <models...>", "Bring the files of models to this machine, checked, and pin what came.");
  pull
    .addOption(precisionOption())
    .option("--refresh-cache", "Fetch also what is here.")
    .option("--repin", "Take what the hub has now in place of what was pinned.");
  pull.action(async (names: string[]) => {
    const { pullAction } = await import("./models-pull-action.js");
    process.exitCode = await pullAction(pull, names);
  });

  const verify = add("verify [models...]", "Hash the files of models that are here; exit 1 when one is wrong.");
  verify.action(async (names: string[]) => {
    const { verifyModelsAction } = await import("./models-pull-action.js");
    process.exitCode = await verifyModelsAction(verify, names);
  });

  const remove = add("remove <models...>", "Remove the files of pulled models from the cache; their pins stay.");
  remove.action(async (names: string[]) => {
    const { removeAction } = await import("./models-remove-action.js");
    process.exitCode = await removeAction(remove, names);
  });

  const prune = add(
    "prune",
    "Remove what no model needs from the repositories of the registry: unfinished downloads, commits that nothing names, contents without a name.",
  );
  prune.option("--dry-run", "Only say what would go.");
  prune.action(async () => {
    const { pruneAction } = await import("./models-remove-action.js");
    process.exitCode = await pruneAction(prune);
  });

  const own = add("add <hugging-face-id>", "Look at a model's own files and write an entry for it into your config.");
  own
    .option("--key <key>", "Key of the entry, the last part of the id by default.")
    .option("--onnx-repository <id>", "Repository with the ONNX files, where that is another one.")
    .addOption(
      new Option("--stage <stage>", "What the model is for, where its files do not tell.").choices([
        "dense",
        "sparse",
        "rerank",
      ]),
    )
    .option("--dry-run", "Print the entry, write nothing.");
  own.action(async (id: string) => {
    const { addAction } = await import("./models-add-action.js");
    process.exitCode = await addAction(own, id);
  });
}
