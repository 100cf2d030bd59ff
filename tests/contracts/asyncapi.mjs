// Parses an AsyncAPI document by its own parser, and prints what it has to say and, if it can be read, its channels with their messages.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [modules, file] = process.argv.slice(2);
const { Parser } = createRequire(modules + "/")("@asyncapi/parser");
const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"));
const channel = (one) => [one.address(), one.messages().all().map((message) => message.name()).sort()];
console.log(JSON.stringify({
    diagnostics: diagnostics.map((one) => `${one.path.join("/")}: ${one.message}`),
    channels: document ? Object.fromEntries(document.channels().all().map(channel)) : null,
}));
