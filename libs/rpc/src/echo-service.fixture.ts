import { createFileRegistry, fromJson } from "@bufbuild/protobuf";
import type { GenService } from "@bufbuild/protobuf/codegenv2";
import {
  type BytesValueSchema,
  FileDescriptorProtoSchema,
  file_google_protobuf_wrappers,
} from "@bufbuild/protobuf/wkt";
import { type Client, type ClientOptions, createClient } from "./client.js";
import type { Handlers } from "./handlers.js";
import { type ImplementationOptions, implementation } from "./implementation.js";
import { listen } from "./listen.js";
import { serviceDefinition } from "./method-definition.js";
import { createServer } from "./server.js";

const bytesValue = ".google.protobuf.BytesValue";
const bytes = { inputType: bytesValue, outputType: bytesValue };

const file = fromJson(FileDescriptorProtoSchema, {
  name: "echo.proto",
  package: "ragline.test",
  syntax: "proto3",
  dependency: ["google/protobuf/wrappers.proto"],
  service: [
    {
      name: "EchoService",
      method: [
        { name: "Single", ...bytes },
        { name: "Gather", ...bytes, clientStreaming: true },
        { name: "Spread", ...bytes, serverStreaming: true },
        { name: "Talk", ...bytes, clientStreaming: true, serverStreaming: true },
      ],
    },
  ],
});

interface Both {
  input: typeof BytesValueSchema;
  output: typeof BytesValueSchema;
}

/** One rpc of each kind, from bytes to bytes. */
export const EchoService = createFileRegistry(file, () => file_google_protobuf_wrappers).getService(
  "ragline.test.EchoService",
) as GenService<{
  single: Both & { methodKind: "unary" };
  gather: Both & { methodKind: "client_streaming" };
  spread: Both & { methodKind: "server_streaming" };
  talk: Both & { methodKind: "bidi_streaming" };
}>;

export type EchoHandlers = Handlers<typeof EchoService>;

/** A message that holds a short text. */
export const say = (text: string) => ({ value: new TextEncoder().encode(text) });

/** The text that a message holds. */
export const heard = ({ value }: { value?: Uint8Array }) => new TextDecoder().decode(value);

/** `count` numbered messages. */
export async function* numbered(count: number) {
  for (let i = 0; i < count; i += 1) yield say(String(i));
}

/** All texts of a stream. */
export async function collect(messages: AsyncIterable<{ value?: Uint8Array }>): Promise<string[]> {
  const texts: string[] = [];
  for await (const message of messages) texts.push(heard(message));
  return texts;
}

/** Handlers that answer with what they got, some of them replaced. */
export function echoHandlers(replaced: Partial<EchoHandlers> = {}): EchoHandlers {
  return {
    single: async (request) => request,
    gather: async (requests) => say((await collect(requests)).join(" ")),
    spread: (request) => numbered(Number(heard(request))),
    async *talk(requests) {
      for await (const request of requests) yield request;
    },
    ...replaced,
  };
}

/** A real server on a free port of loopback, and a client of it. */
export async function serveEcho(
  handlers: EchoHandlers,
  options: ImplementationOptions = {},
  clientOptions: ClientOptions = {},
): Promise<{ client: Client<typeof EchoService>; address: string; close: () => void }> {
  const server = createServer();
  server.addService(serviceDefinition(EchoService), implementation(EchoService, handlers, options));
  const address = await listen(server, "127.0.0.1:0");
  const client = createClient(EchoService, address, clientOptions);
  return {
    client,
    address,
    close: () => {
      client.close();
      server.forceShutdown();
    },
  };
}
