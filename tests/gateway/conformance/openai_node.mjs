// OpenAI's own Node.js client against the gateway: each check is named on stdout, a failed one on stderr.
// Environment: GATEWAY_URL, GATEWAY_KEY, and UPSTREAM, the name of who is to answer.

import assert from "node:assert/strict";
import OpenAI from "openai";

const { GATEWAY_URL: baseURL, GATEWAY_KEY: apiKey, UPSTREAM: upstream } = process.env;
const model = `${upstream}/gpt-6-luna`;
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 10_000 });

const TEXT = "The quick brown fox jumps over the lazy dog, and then it rests.";
const CITIES = [{ city: "Rome" }, { city: "Oslo" }];
const DEGREES = ["18 degrees", "4 degrees"];
const PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const schema = {
  type: "object",
  properties: { title: { type: "string" }, done: { type: "boolean" } },
  required: ["title", "done"],
  additionalProperties: false,
};
const functionTool = { type: "function", name: "get_weather", parameters, strict: true };
const chatTool = { type: "function", function: { name: "get_weather", parameters, strict: true } };
const say = (content) => [{ role: "user", content }];

const checks = {
  async "models are listed and found"() {
    const ids = [];
    for await (const found of client.models.list()) ids.push(found.id);
    assert.ok(ids.includes(model.replace("full/", "")), ids.join());
    assert.equal((await client.models.retrieve(model)).id, model);
  },

  async "a response"() {
    const response = await client.responses.create({ model, input: "Hello" });
    assert.equal(response.output_text, TEXT);
    assert.equal(response.usage.total_tokens, 20);
  },

  async "a response streams"() {
    const types = [];
    let text = "";
    for await (const event of await client.responses.create({ model, input: "Hello", stream: true })) {
      assert.equal(event.sequence_number, types.length);
      types.push(event.type);
      if (event.type === "response.output_text.delta") text += event.delta;
    }
    assert.equal(types[0], "response.created");
    assert.equal(types.at(-1), "response.completed");
    assert.equal(text, TEXT);
  },

  async "the client's own gathering of a stream"() {
    const final = await client.responses.stream({ model, input: "Hello" }).finalResponse();
    assert.equal(final.output_text, TEXT);
  },

  async "parallel tools of a response over two turns"() {
    const input = say("What is the weather?");
    const first = await client.responses.create({ model, input, tools: [functionTool], store: false });
    const calls = first.output.filter((item) => item.type === "function_call");
    assert.deepEqual(calls.map((call) => JSON.parse(call.arguments)), CITIES);
    for (const { name, arguments: given, call_id } of calls) {
      input.push({ type: "function_call", name, arguments: given, call_id });
    }
    calls.forEach(({ call_id }, i) => input.push({ type: "function_call_output", call_id, output: DEGREES[i] }));
    const second = await client.responses.create({ model, input, tools: [functionTool], store: false });
    assert.equal(second.output_text, "18 in Rome, 4 in Oslo.");
  },

  async "a response to an image"() {
    const content = [
      { type: "input_text", text: "What is this?" },
      { type: "input_image", image_url: PIXEL, detail: "low" },
    ];
    assert.equal((await client.responses.create({ model, input: say(content) })).output_text, TEXT);
  },

  async "a response keeps to a schema"() {
    const text = { format: { type: "json_schema", name: "plan", schema, strict: true } };
    const response = await client.responses.parse({ model, input: "Plan.", text });
    assert.deepEqual(JSON.parse(response.output_text), { title: "Buy milk", done: false });
  },

  async "a completion"() {
    const completion = await client.chat.completions.create({ model, messages: say("Hello") });
    assert.equal(completion.choices[0].message.content, TEXT);
    assert.equal(completion.usage.total_tokens, 20);
  },

  async "a completion streams"() {
    const stream = client.chat.completions.stream({
      model,
      messages: say("Hello"),
      stream_options: { include_usage: true },
    });
    const completion = await stream.finalChatCompletion();
    assert.equal(completion.choices[0].message.content, TEXT);
    assert.equal(completion.choices[0].finish_reason, "stop");
    assert.equal(completion.usage.total_tokens, 20);
  },

  async "the client's tool loop"() {
    const asked = [];
    const runner = client.chat.completions.runTools({
      model,
      messages: say("What is the weather?"),
      stream: true,
      tools: [
        {
          type: "function",
          function: {
            ...chatTool.function,
            parse: JSON.parse,
            function: (given) => DEGREES[asked.push(given) - 1],
          },
        },
      ],
    });
    assert.equal(await runner.finalContent(), "18 in Rome, 4 in Oslo.");
    assert.deepEqual(asked, CITIES);
  },

  async "a completion to an image"() {
    const content = [
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url: PIXEL, detail: "low" } },
    ];
    const completion = await client.chat.completions.create({ model, messages: say(content) });
    assert.equal(completion.choices[0].message.content, TEXT);
  },

  async "a completion keeps to a schema"() {
    const response_format = { type: "json_schema", json_schema: { name: "plan", schema, strict: true } };
    const completion = await client.chat.completions.parse({ model, messages: say("Plan."), response_format });
    assert.deepEqual(JSON.parse(completion.choices[0].message.content), { title: "Buy milk", done: false });
  },

  async "errors keep their kind"() {
    const busy = await failure(client.responses.create({ model, input: "Busy" }));
    assert.ok(busy instanceof OpenAI.RateLimitError, busy);
    assert.equal(busy.headers.get("retry-after"), "7");
    const broken = await failure(client.chat.completions.create({ model, messages: say("Broken") }));
    assert.ok(broken instanceof OpenAI.InternalServerError, broken);
    const nobody = await failure(client.responses.create({ model: `${upstream}/gpt-0`, input: "Hello" }));
    assert.ok(nobody instanceof OpenAI.NotFoundError, nobody);
    const stranger = client.withOptions({ apiKey: "sk-of-somebody-else" });
    const refused = await failure(stranger.chat.completions.create({ model, messages: say("Hello") }));
    assert.ok(refused instanceof OpenAI.AuthenticationError, refused);
  },

  async "a stream that breaks off is an error"() {
    const stream = await client.chat.completions.create({ model, messages: say("Hang up"), stream: true });
    await failure(read(stream));
  },
};

async function read(stream) {
  for await (const _ of stream);
}

async function failure(asked) {
  try {
    await asked;
  } catch (error) {
    return error;
  }
  assert.fail("no error came");
}

for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(name);
  } catch (error) {
    console.error(`${name}: ${error.stack}`);
    process.exitCode = 1;
  }
}
