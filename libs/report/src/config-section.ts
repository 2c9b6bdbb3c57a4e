import { details, type Section, table } from "./elements.js";
import { html } from "./html.js";
import type { ReportContent } from "./report-content.js";

interface Setting {
  readonly key: string;
  readonly value: unknown;
  readonly layer: string;
  readonly source: string;
}

function settingsOf({ manifest }: ReportContent): Setting[] {
  const provenance = manifest.feature_toggles?.["provenance"];
  if (Array.isArray(provenance)) return provenance as Setting[];
  return Object.entries(manifest.config?.values ?? {}).map(([key, value]) => ({ key, value, layer: "", source: "" }));
}

/** Every setting with its value and where that came from; those that somebody set first. */
export function configSection(content: ReportContent): Section {
  const settings = settingsOf(content);
  const row = ({ key, value, layer, source }: Setting) => [
    key,
    JSON.stringify(value) ?? "",
    layer,
    source === layer ? "" : source,
  ];
  const given = settings.filter(({ layer }) => layer !== "default");
  const head = ["setting", "value", "layer", "from"];
  const { sha256 } = content.manifest.config ?? {};
  const { fusion } = content.manifest;
  return {
    id: "config",
    title: "Configuration",
    content: html`${
      given.length > 0
        ? table(given.map(row), { caption: "Settings that were given", head, textColumns: 4 })
        : html`<p>Every setting has its default.</p>
`
    }${details("All settings with their provenance", table(settings.map(row), { caption: "All settings", head, textColumns: 4, maxRows: 500 }))}${
      fusion
        ? table(
            Object.entries(fusion).map(([key, value]) => [key, JSON.stringify(value) ?? ""]),
            { caption: "Fusion", head: ["constant", "value"], textColumns: 2 },
          )
        : undefined
    }${
      sha256 === undefined
        ? undefined
        : html`<p class="note">SHA-256 of the configuration: <code>${sha256}</code></p>
`
    }`,
  };
}
