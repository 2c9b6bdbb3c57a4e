import type { MessageInitShape } from "@bufbuild/protobuf";
import { BatchResize_Cause, type BatchResizeSchema } from "@ragline/contracts";
import type { Resize } from "@ragline/inference";

const causes = {
  out_of_memory: BatchResize_Cause.OUT_OF_MEMORY,
  soft_limit: BatchResize_Cause.SOFT_LIMIT,
  faster: BatchResize_Cause.FASTER,
  not_faster: BatchResize_Cause.NOT_FASTER,
  latency: BatchResize_Cause.LATENCY,
} as const;

/** A change of the token budget in the words of the contract. */
export function toBatchResize({ cause, fromTokens, toTokens }: Resize): MessageInitShape<typeof BatchResizeSchema> {
  return { cause: causes[cause], fromTokens, toTokens };
}
