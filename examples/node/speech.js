// A client of swara.v1.SpeechService out of the .proto files themselves: no generated code.

import { fileURLToPath } from "node:url";

import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const PROTOS = fileURLToPath(new URL("../../protos", import.meta.url));
const OPTIONS = {
  includeDirs: [PROTOS],
  longs: String, // A seed has 64 bits, a JavaScript number 53.
  enums: String,
  oneofs: true, // `event` then tells which of its members a message holds.
};

/** A client of the gateway at `host:port`. */
export function connect(address) {
  const definition = loader.loadSync("swara/v1/speech_service.proto", OPTIONS);
  const { SpeechService } = grpc.loadPackageDefinition(definition).swara.v1;
  return new SpeechService(address, grpc.credentials.createInsecure());
}
