import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { LIVE_INDEX } from '@/sdk/stores/dynamodb/layout'
import { type DetectedLayout, SourceUnavailableError } from '../contracts'
import type { DynamoSecret } from './address'
import { type Database, openDatabase } from './client/database'
import { type Item, jsonText } from './client/value'

const SAMPLE_ITEMS = 25
const TIMEOUT_MS = 5_000

type Keys = { partition: string; sort: string | null }
type Found = { library: string; layout: Record<string, unknown> }

/** Looks at a few items of each table, or of one: an eventually consistent page each, some capacity units. */
export async function detectTables(secret: DynamoSecret): Promise<DetectedLayout[]> {
  const database = openDatabase(secret, TIMEOUT_MS)
  try {
    const names = secret.table === undefined ? await database.tables() : [secret.table]
    const found: DetectedLayout[] = []
    for (const table of names) {
      const one = await detectTable(database, table).catch((error: unknown) => {
        // One table that this role may not see, or whose keys are no texts, hides no other.
        if (!(error instanceof SourceUnavailableError) || !error.refused || names.length === 1) throw error
        return null
      })
      if (one !== null) found.push(one)
    }
    return found
  } finally {
    database.close()
  }
}

async function detectTable(database: Database, table: string): Promise<DetectedLayout | null> {
  const { partition, sort, indexes, items: rowsEstimate } = await database.describe(table)
  if (partition === 'pk' && sort === 'sk' && indexes.includes(LIVE_INDEX))
    return {
      adapter: 'native-dynamodb',
      library: 'Idemscope SDK',
      place: table,
      config: { table },
      rowsEstimate,
    }
  const { items } = await database.scan({ table, attributes: [] }, { limit: SAMPLE_ITEMS, from: null })
  const layout = items.map((item) => layoutOf(item, { partition, sort })).find((each) => each !== null)
  if (layout === undefined) return null
  const returns = items.flatMap((item) => returnsOf(item.data) ?? [])[0]
  const known = layout.library === RECIPE || returns === undefined ? {} : { returns }
  return {
    adapter: 'dynamodb',
    library: layout.library,
    place: table,
    config: { table, layout: { ...layout.layout, ...known }, endpoint: '* /' },
    rowsEstimate: Math.max(rowsEstimate, items.length),
  }
}

const RECIPE = 'guide recipe'

/** Pure: which library wrote an item with these attributes; null = none that we know. */
export function layoutOf(item: Item, { partition, sort }: Keys): Found | null {
  if (isPowertools(item)) {
    const whole = item[sort ?? partition]?.S ?? ''
    // An md5 in hex is Python's; in base64 TypeScript's. The answer settles it where there is one.
    const python =
      item.data === undefined
        ? /#[0-9a-f]{32}$/.test(whole)
        : item.data.S !== undefined && /#[0-9a-f]+$/.test(whole)
    const library = python ? 'powertools-python' : 'powertools-typescript'
    return {
      library: python ? 'AWS Powertools for Python' : 'AWS Powertools for TypeScript',
      layout: { library, keyAttr: partition, ...(sort === null ? {} : { sortKeyAttr: sort }) },
    }
  }
  const recipe =
    item.ttl?.N !== undefined && item[partition]?.S?.includes('#') && item.response_body !== undefined
  if (recipe && sort === null)
    return { library: RECIPE, layout: { library: 'guide-recipe', keyAttr: partition } }
  return null
}

const isPowertools = ({ status, expiration }: Item): boolean =>
  /^(INPROGRESS|COMPLETED)$/.test(status?.S ?? '') && expiration?.N !== undefined

/** What a stored answer looks like; null = there is none to look at. */
function returnsOf(data: AttributeValue | undefined): 'api-gateway' | 'value' | null {
  if (data === undefined) return null
  return /"statusCode":\s*[1-5]\d\d\b/.test(data.S ?? jsonText(data)) ? 'api-gateway' : 'value'
}
