// A partner's receiver in Node: verifies with npm's standardwebhooks, reads with npm's cloudevents, and prints what it
// got, one JSON object a line. The secret comes in WEBHOOK_SECRET. The first line is the port. Standard input's end
// ends it.
import { createServer } from "node:http";
import { HTTP } from "cloudevents";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.WEBHOOK_SECRET);

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString("utf8");
  try {
    webhook.verify(body, request.headers);
    const event = HTTP.toEvent({ headers: request.headers, body });
    event.validate();
    const { id, type, source, subject, time, sequence, data } = event;
    console.log(JSON.stringify({ id, type, source, subject, time, sequence, data }));
    response.writeHead(204).end();
  } catch (error) {
    console.log(JSON.stringify({ refused: error.constructor.name, message: error.message }));
    response.writeHead(400).end();
  }
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
