// A receiver of Segin's events, to start yours from: verifies, keeps each event once, answers at once.
//
//     npm ci
//     SEGIN_WEBHOOK_SECRET=whsec_... node receiver.mjs events.jsonl 8000
//     node receiver.mjs events.jsonl read        the events of each case in the order in which they happened
//
// It listens on this machine only: put your web server with its certificate before it, and tell Segin the https address
// of that. Segin's own tests run this very file against its sender.
import { open } from "node:fs/promises";
import { createServer } from "node:http";
import { HTTP } from "cloudevents";
import { Webhook } from "standardwebhooks";

const MOST_BYTES = 1_000_000; // longer bodies are not read; an event has a few hundred bytes
const [path, then = "8000"] = process.argv.slice(2);
process.umask(0o077); // what is kept is for the owner's eyes only

// One event a line, only ever added to. A line without an end is one that was being written when the machine stopped:
// Segin had no answer to it and sends it again.
const file = await open(path, "a+");
const text = await file.readFile("utf8");
const whole = text.slice(0, text.lastIndexOf("\n") + 1);
const events = whole.split("\n").filter(Boolean).map((line) => JSON.parse(line));

if (then === "read") {
  // `sequence` is text, padded with zeros, so that the order of text is the order of numbers. (`segin.test` has none.)
  const place = ({ subject = "", sequence = "" }) => `${subject} ${sequence}`;
  events.sort((one, other) => (place(one) < place(other) ? -1 : Number(place(one) > place(other))));
  for (const event of events) console.log(JSON.stringify(event));
  process.exit(0);
}

await file.truncate(Buffer.byteLength(whole));
const webhook = new Webhook(process.env.SEGIN_WEBHOOK_SECRET);
const known = new Map(events.map(({ id }) => [id, Promise.resolve()]));

// Keeps an event once, on the disk when the promise is fulfilled; the same one while it is being written waits for that.
function keep({ id, type, source, subject, time, sequence, data }) {
  if (!known.has(id)) {
    const line = JSON.stringify({ id, type, source, subject, time, sequence, data });
    const written = file.appendFile(`${line}\n`).then(() => file.datasync());
    known.set(id, written);
    written.catch(() => known.delete(id));
  }
  return known.get(id);
}

async function bodyOf(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    if ((length += chunk.length) > MOST_BYTES) throw new RangeError("too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const server = createServer(async (request, response) => {
  let event;
  try {
    // 1. The raw body, as it came. The signature is over this: parse nothing before it was checked.
    const body = await bodyOf(request);
    // 2. Is it from Segin, and from the last five minutes? Without this check anybody could tell you anything. While
    //    the secret is being changed, one of two signatures has to hold.
    webhook.verify(body, request.headers);
    event = HTTP.toEvent({ headers: request.headers, body });
    event.validate();
  } catch (error) {
    console.log(`refused ${error.constructor.name}`);
    response.writeHead(400, { connection: "close" }).end();
    return;
  }
  // 3. Keep it, once. Whatever you do because of it (look up, write, tell somebody) comes later and elsewhere: Segin
  //    waits for 15 seconds. Types that you do not know are kept too: there will be new ones.
  const again = known.has(event.id);
  try {
    await keep(event);
  } catch (error) {
    console.log(`not kept: ${error.code}`);
    response.writeHead(500).end(); // no 2xx: Segin sends it again
    return;
  }
  // 4. Only now say that you have it: after a 2xx Segin does not send it again. Also when it was known: your first
  //    answer may have been lost. Log the type and the id and nothing else: the rest is about people.
  response.writeHead(204).end();
  console.log(`${event.type} ${event.id}${again ? " again" : ""}`);
});

server.listen(Number(then), "127.0.0.1", () => console.log(`listening on 127.0.0.1:${server.address().port}`));
