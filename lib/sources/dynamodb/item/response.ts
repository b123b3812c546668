import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { z } from 'zod'
import { SourceUnavailableError, type StoredResponse } from '../../contracts'
import { type Item, jsonText, scalarText, toAttribute } from '../client/value'
import type { Mapping } from '../config'

const headers = z.record(z.string(), z.coerce.string()).catch({})
/** What a function behind API Gateway returns. */
const gatewayAnswer = z.looseObject({
  statusCode: z.int().min(100).max(599),
  headers: headers.default({}),
  body: z.unknown(),
})

const textOf = (value: AttributeValue): string => value.S ?? jsonText(value)
const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // A text that is no JSON is itself what was answered.
    return text
  }
}

/** null = none is stored: the handler returned nothing, or has not finished. Status 0 = the layout has none. */
export function toResponse({ response }: Mapping, item: Item): StoredResponse | null {
  if (response === undefined) return null
  if (response.kind === 'attributes') {
    const body = item[response.body]
    if (body === undefined) return null
    return {
      status: z.coerce.number().int().min(100).max(999).catch(0).parse(scalarText(item[response.status])),
      headers: headersOf(response.headers === undefined ? undefined : item[response.headers]),
      body: textOf(body),
    }
  }
  const returned = item[response.attribute]
  if (returned === undefined) return null
  const text = response.stored === 'json' ? textOf(returned) : jsonText(returned)
  const gateway = gatewayAnswer.safeParse(parseJson(text))
  if (!gateway.success || response.returns === 'value') return { status: 0, headers: {}, body: text }
  const { statusCode, body } = gateway.data
  return {
    status: statusCode,
    headers: gateway.data.headers,
    body: typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body),
  }
}

function headersOf(value: AttributeValue | undefined): Record<string, string> {
  return value === undefined ? {} : headers.parse(parseJson(textOf(value)))
}

/** What the library replays, as it would have written it. */
export function responseAttributes({ response }: Mapping, given: StoredResponse): Item {
  if (response === undefined) return {}
  const write = (value: unknown): AttributeValue =>
    response.stored === 'native' ? toAttribute(value) : { S: JSON.stringify(value) }
  if (response.kind === 'attributes') {
    return {
      [response.status]: { N: String(given.status) },
      [response.body]: response.stored === 'json' ? { S: given.body } : toAttribute(parseJson(given.body)),
      ...(response.headers === undefined ? {} : { [response.headers]: write(given.headers) }),
    }
  }
  if (response.returns === 'api-gateway') {
    const value = { statusCode: given.status, headers: given.headers, body: given.body }
    return { [response.attribute]: write(value) }
  }
  try {
    return { [response.attribute]: write(JSON.parse(given.body)) }
  } catch (cause) {
    throw new SourceUnavailableError(
      'The body of the response template is no JSON: the function returns a value',
      {
        cause,
        refused: true,
      },
    )
  }
}
