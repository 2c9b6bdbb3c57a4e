import { type DescFile, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { Server } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";

/** A file and all it imports, each once. */
function withImports(file: DescFile, found = new Set<DescFile>()): Set<DescFile> {
  if (found.has(file)) return found;
  found.add(file);
  for (const imported of file.dependencies) withImports(imported, found);
  return found;
}

/** Lets tools such as `buf curl` and grpcurl ask a server what it offers (grpc.reflection.v1 and v1alpha). */
export function addReflection(server: Server, services: readonly DescService[]): void {
  const files = new Set(services.flatMap((service) => [...withImports(service.file)]));
  const fileDescriptorProtos = [...files].map((file) => Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)));
  // The package reads the descriptors' bytes alone; the rest is what its type asks for.
  const format = "Protocol Buffer 3 EnumDescriptorProto" as const;
  const described = { files: { format, type: {}, fileDescriptorProtos } };
  new ReflectionService(described, { services: services.map(({ typeName }) => typeName) }).addToServer(server);
}
