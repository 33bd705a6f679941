// Reads AsyncAPI documents on stdin (an object by name) with the parser of the AsyncAPI project; writes what it makes of
// each, as JSON.
import { text } from "node:stream/consumers";
import { Parser } from "@asyncapi/parser";

const parser = new Parser();
const found = {};
for (const [name, given] of Object.entries(JSON.parse(await text(process.stdin)))) {
  const { document, diagnostics } = await parser.parse(given);
  const operations = document?.operations().all() ?? [];
  found[name] = {
    diagnostics: diagnostics.map(({ severity, code, path }) => ({ severity, code, path: path.join(".") })),
    version: document?.version(),
    operations: Object.fromEntries(operations.map((each) => [each.id(), described(each)])),
    payloads: document?.allMessages().all().filter((message) => message.hasPayload()).length,
  };
}
console.log(JSON.stringify(found));

function described(operation) {
  return {
    action: operation.action(),
    channels: operation.channels().all().map((channel) => channel.id()),
    messages: operation.messages().all().map((message) => message.name()),
  };
}
