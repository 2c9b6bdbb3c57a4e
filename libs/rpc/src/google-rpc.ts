import { createFileRegistry, fromJson, type JsonObject, type Message } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import {
  type Any,
  type Duration,
  FileDescriptorProtoSchema,
  file_google_protobuf_any,
  file_google_protobuf_duration,
} from "@bufbuild/protobuf/wkt";

/*
 * The four messages of google.rpc that Ragline sends, field for field as in googleapis
 * (google/rpc/status.proto and google/rpc/error_details.proto). No npm package holds them
 * for protobuf-es, and generating the whole files for them would be many times this one.
 */

/** `google.rpc.Status`: the content of the `grpc-status-details-bin` trailer. */
export type Status = Message<"google.rpc.Status"> & { code: number; message: string; details: Any[] };

/** `google.rpc.ErrorInfo`: a reason that is unique within a domain. */
export type ErrorInfo = Message<"google.rpc.ErrorInfo"> & {
  reason: string;
  domain: string;
  metadata: { [key: string]: string };
};

/** `google.rpc.RetryInfo`: how long to wait before a new try. */
export type RetryInfo = Message<"google.rpc.RetryInfo"> & { retryDelay?: Duration };

/** `google.rpc.BadRequest`: the fields at fault. */
export type BadRequest = Message<"google.rpc.BadRequest"> & {
  fieldViolations: { field: string; description: string }[];
};

const text = (name: string, number: number): JsonObject => ({
  name,
  number,
  type: "TYPE_STRING",
  label: "LABEL_OPTIONAL",
});
const repeated = (name: string, number: number, typeName: string): JsonObject => ({
  name,
  number,
  typeName,
  type: "TYPE_MESSAGE",
  label: "LABEL_REPEATED",
});

const file = fromJson(FileDescriptorProtoSchema, {
  name: "google/rpc/subset.proto",
  package: "google.rpc",
  syntax: "proto3",
  dependency: ["google/protobuf/any.proto", "google/protobuf/duration.proto"],
  messageType: [
    {
      name: "Status",
      field: [
        { name: "code", number: 1, type: "TYPE_INT32", label: "LABEL_OPTIONAL" },
        text("message", 2),
        repeated("details", 3, ".google.protobuf.Any"),
      ],
    },
    {
      name: "ErrorInfo",
      field: [text("reason", 1), text("domain", 2), repeated("metadata", 3, ".google.rpc.ErrorInfo.MetadataEntry")],
      nestedType: [{ name: "MetadataEntry", field: [text("key", 1), text("value", 2)], options: { mapEntry: true } }],
    },
    {
      name: "RetryInfo",
      field: [
        {
          name: "retry_delay",
          number: 1,
          type: "TYPE_MESSAGE",
          label: "LABEL_OPTIONAL",
          typeName: ".google.protobuf.Duration",
        },
      ],
    },
    {
      name: "BadRequest",
      field: [repeated("field_violations", 1, ".google.rpc.BadRequest.FieldViolation")],
      nestedType: [{ name: "FieldViolation", field: [text("field", 1), text("description", 2)] }],
    },
  ],
});

const registry = createFileRegistry(file, (name) =>
  [file_google_protobuf_any, file_google_protobuf_duration].find(({ proto }) => proto.name === name),
);

function schema<T extends Message>(typeName: T["$typeName"]): GenMessage<T> {
  const found = registry.getMessage(typeName);
  if (!found) throw new Error(`${typeName} is not described`);
  return found as GenMessage<T>;
}

/** Describes {@link Status}. */
export const StatusSchema = schema<Status>("google.rpc.Status");
/** Describes {@link ErrorInfo}. */
export const ErrorInfoSchema = schema<ErrorInfo>("google.rpc.ErrorInfo");
/** Describes {@link RetryInfo}. */
export const RetryInfoSchema = schema<RetryInfo>("google.rpc.RetryInfo");
/** Describes {@link BadRequest}. */
export const BadRequestSchema = schema<BadRequest>("google.rpc.BadRequest");
