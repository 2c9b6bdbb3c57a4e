import { SaxesParser } from "saxes";

/** An element's start: its name and its attributes' without prefixes. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Told of what is read, in order. */
export interface XmlHandlers {
  readonly open?: (element: XmlElement) => void;
  readonly close?: (name: string) => void;
  readonly text?: (text: string) => void;
}

/**
 * Reads XML as events. Entities that a document declares are not expanded but an error, so none can explode.
 * @throws Error with the position of what is not well-formed.
 */
export function readXml(source: string, handlers: XmlHandlers): void {
  const parser = new SaxesParser({ xmlns: false });
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => {
    const local = Object.fromEntries(Object.entries(attributes).map(([key, value]) => [localName(key), value]));
    handlers.open?.({ name: localName(name), attributes: local });
  });
  parser.on("closetag", ({ name }) => handlers.close?.(localName(name)));
  parser.on("text", (text) => handlers.text?.(text));
  parser.on("cdata", (text) => handlers.text?.(text));
  parser.write(source).close();
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}
