import { z } from 'zod'
import { PERMISSIONS } from '@/lib/core/permissions'
import { type Route, TAGS } from './route'
import { problemSchema } from './schemas'

type Json = Record<string, unknown>

const REASONS: Record<number, string> = {
  400: 'The request is not valid; `faults` names each fault.',
  401: 'No token, no session, or one that is not valid any more.',
  403: 'The role does not allow it (`roleNeeded` says which does), or writes are switched off.',
  404: 'There is no such thing.',
  409: 'The state has changed, or a request with this key is outstanding.',
  422: 'The key was used with another body, or the request cannot be carried out.',
  503: 'Temporarily unavailable: retry with the same key.',
}

const DESCRIPTION =
  'The operations console for exactly-once effects. Lists take `limit` and `cursor` and answer `{ items, next }`. ' +
  'Every POST needs an `Idempotency-Key`: a fresh UUID for an operation, the same one when it is retried. ' +
  'Errors are problem details (RFC 9457) with a `requestId`. Interfaces change only by adding.'

/** OpenAPI 3.1 of the route table, from the schemas that validate. */
export function openApi(routes: readonly Route[], serverUrl: string): Json {
  const components: Record<string, Json> = {}
  const schemaOf = createSchemaWriter(components)
  const paths: Record<string, Json> = {
    '/stream': { get: STREAM },
  }
  for (const route of routes) {
    const path = `/${route.path}`
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, schemaOf) }
  }
  schemaOf(problemSchema, 'output')
  return {
    openapi: '3.1.0',
    info: {
      title: 'Idemscope',
      version: '1',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: `${serverUrl}/api/v1` }],
    security: [{ token: [] }, { session: [] }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: '`npm run --silent token -- --role operator --name ci`',
        },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'better-auth.session_token',
          description: 'A session changes something from the console’s own pages only.',
        },
      },
      schemas: components,
    },
  }
}

type SchemaWriter = (schema: z.ZodType, io: 'input' | 'output') => Json

/** Writes schemas; those with an id go to `components` once and are referred to. */
function createSchemaWriter(components: Record<string, Json>): SchemaWriter {
  const referring = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(referring)
    if (node === null || typeof node !== 'object') return node
    return Object.fromEntries(
      Object.entries(node).flatMap(([name, value]) =>
        name === '$ref' && typeof value === 'string'
          ? [[name, value.replace('#/$defs/', '#/components/schemas/')]]
          : [[name, referring(value)]],
      ),
    )
  }
  return (schema, io) => {
    const whole = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json
    const { $schema: _, $defs: defs = {}, ...json } = whole
    for (const [name, definition] of Object.entries(defs as Record<string, Json>)) {
      components[name] ??= referring(withoutId(definition)) as Json
    }
    if (typeof json.id !== 'string') return referring(json) as Json
    components[json.id] ??= referring(withoutId(json)) as Json
    return { $ref: `#/components/schemas/${json.id}` }
  }
}

const withoutId = ({ id: _, ...rest }: Json): Json => rest

function operationOf(route: Route, schemaOf: SchemaWriter): Json {
  const name = route.path.replaceAll(/[^a-z0-9]+/gi, '_').replace(/_$/, '')
  const body =
    route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(route.body, 'input') } },
          },
        }
  return {
    operationId: `${route.method.toLowerCase()}_${name}`,
    tags: [route.tag],
    summary: route.summary,
    description: [route.description, `Roles: ${PERMISSIONS[route.verb].join(', ')}.`]
      .filter(Boolean)
      .join('\n\n'),
    parameters: [
      ...parametersOf(route.params, 'path', schemaOf),
      ...parametersOf(route.query, 'query', schemaOf),
      ...(route.method === 'POST' ? [IDEMPOTENCY_KEY] : []),
    ],
    ...body,
    responses: { ...successes(route, schemaOf), ...failures(route) },
  }
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: true,
  description: 'A quoted string, 1 to 255 visible ASCII characters; a UUID is best.',
  schema: { type: 'string', examples: ['"8e03978e-40d5-43dd-bc93-6894a57f9324"'] },
}

function parametersOf(
  schema: z.ZodObject | undefined,
  where: 'path' | 'query',
  schemaOf: SchemaWriter,
): Json[] {
  return Object.entries(schema?.shape ?? {}).map(([name, each]) => {
    const { description, ...json } = schemaOf(each as z.ZodType, 'input')
    const required = where === 'path' || !z.safeParse(each as z.ZodType, undefined).success
    return { name, in: where, required, ...(description === undefined ? {} : { description }), schema: json }
  })
}

function successes(route: Route, schemaOf: SchemaWriter): Json {
  return Object.fromEntries(
    Object.entries(route.responses).map(
      ([status, { description, schema, contentType = 'application/json' }]) => [
        status,
        { description, content: { [contentType]: { schema: schemaOf(schema, 'output') } } },
      ],
    ),
  )
}

function failures(route: Pick<Route, 'method' | 'params'>): Json {
  const statuses = [
    400,
    401,
    403,
    ...(route.params === undefined ? [] : [404]),
    ...(route.method === 'POST' ? [409, 422] : []),
    503,
  ]
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
  return Object.fromEntries(statuses.map((status) => [status, { description: REASONS[status], content }]))
}

/** The one route that is no JSON: its own file answers it. */
const STREAM: Json = {
  operationId: 'get_stream',
  tags: ['Live'],
  summary: 'What changes, as server-sent events',
  description:
    '`event: change` with `{ kind, id? }` says that something changed, not what: read it again. After `event: gap` read everything again. A comment every 15 s.\n\nRoles: viewer, operator, approver, admin.',
  responses: {
    200: { description: 'Events, until one side goes', content: { 'text/event-stream': {} } },
    ...failures({ method: 'GET' }),
  },
}
