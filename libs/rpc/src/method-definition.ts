import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { streamsRequests, streamsResponses } from "./handlers.js";

/** The bytes of a message; throws where a field does not hold what its type takes. */
export function encode(schema: DescMessage, init: object): Buffer {
  const bytes = toBinary(schema, create(schema, init as MessageInitShape<DescMessage>));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

// Messages are encoded before grpc-js sees them: it would answer a message that cannot be encoded with a status
// that names nothing, and never call back.
const asIs = (bytes: Buffer): Buffer => bytes;

/** The grpc-js form of one method; what it sends are bytes from {@link encode}. */
export function methodDefinition(method: DescMethod) {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    originalName: method.localName,
    requestStream: streamsRequests(method),
    responseStream: streamsResponses(method),
    requestSerialize: asIs,
    requestDeserialize: (bytes: Buffer): object => fromBinary(method.input, bytes),
    responseSerialize: asIs,
    responseDeserialize: (bytes: Buffer): object => fromBinary(method.output, bytes),
  };
}

/** The grpc-js form of a generated service descriptor, for `server.addService` together with `implementation`. */
export function serviceDefinition(service: DescService): ServiceDefinition {
  return Object.fromEntries(service.methods.map((method) => [method.localName, methodDefinition(method)]));
}
