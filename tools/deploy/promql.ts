import type { SyntaxNode } from "@lezer/common";
import { parser } from "@prometheus-io/lezer-promql";

/** A selector of a query: a metric and the labels that it is narrowed by. */
export interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
}

/** What a PromQL query reads. */
export interface QueryReads {
  readonly selectors: readonly Selector[];
  /** Labels of `by`, `without`, `on`, `ignoring`, `group_left` and `group_right`. */
  readonly grouping: readonly string[];
}

/**
 * Reads a PromQL query with Prometheus's own grammar.
 * @throws Error that shows where the query cannot be read, and for a selector without a metric's name.
 */
export function readQuery(query: string): QueryReads {
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  const textOf = (node: SyntaxNode): string => query.slice(node.from, node.to);
  const labelsBelow = (node: SyntaxNode | null): string[] => {
    const labels: string[] = [];
    node?.cursor().iterate((inner) => {
      if (inner.name === "LabelName") labels.push(query.slice(inner.from, inner.to));
    });
    return labels;
  };
  parser.parse(query).iterate({
    enter: ({ node }) => {
      if (node.type.isError) throw new Error(`no PromQL at "${query.slice(node.from)}" of ${query}`);
      if (node.name === "GroupingLabels") grouping.push(...labelsBelow(node));
      if (node.name !== "VectorSelector") return;
      const name = node.getChild("Identifier");
      if (!name) throw new Error(`a selector without a metric's name in ${query}`);
      selectors.push({ metric: textOf(name), labels: labelsBelow(node.getChild("LabelMatchers")) });
    },
  });
  return { selectors, grouping };
}
