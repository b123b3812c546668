import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type AttributeValue, DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import dynalite from 'dynalite'
import emulated from 'dynalite/db/index.js'
import {
  type Asked,
  answerItemsOfFailedConditions,
  answerJson,
  answerTtl,
  passOn,
  readAsked,
} from '@/demo/stores/complete-emulator'

export type Item = Record<string, AttributeValue>
export type Seen = Asked

/** In what the emulator differs from DynamoDB, and in what a line can be made to differ. */
export type Fault = 'lose' | 'throttle' | 'fail' | 'hang' | { status: number; body: unknown }

const ANSWERS = {
  throttle: {
    status: 400,
    body: { __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException' },
  },
  fail: { status: 500, body: { __type: 'com.amazonaws.dynamodb.v20120810#InternalServerError' } },
}

/** A way to the emulator with a port of its own, whose replies can be lost, late, or from another time. */
export type Line = {
  endpoint: string
  client: DynamoDBClient
  newClient(config?: Partial<DynamoDBClientConfig>): DynamoDBClient
  /** The next request like this, once; `lose` = it is done, and its reply is lost. */
  breakNext(fault: Fault, matches: (seen: Seen) => boolean): void
  /** Every request, until it is ended. */
  breakAll(fault: Fault): () => void
  broken(): number
  /** Each request, as it arrived. */
  seen: Seen[]
  close(): Promise<void>
}

/** Tables of this name get no item with a failed condition: what DynamoDB would do if it did not know the parameter. */
export const BARE_TABLE = 'bare-'

type Watch = (tableName: string, before: Item | undefined, after: Item | undefined) => void
const watches = new Set<Watch>()

/** Once a process: test files share it. */
function completeEmulator(): void {
  const done = emulated as typeof emulated & { completed?: true }
  if (done.completed) return
  done.completed = true
  answerItemsOfFailedConditions((tableName) => tableName.startsWith(BARE_TABLE))
  const { updateIndexes } = emulated
  emulated.updateIndexes = (store, table, before, after, next) => {
    for (const watch of watches) watch(table.TableName, before, after)
    updateIndexes(store, table, before, after, next)
  }
}

export type Emulator = {
  openLine(options?: { dateSkewMs?: number }): Promise<Line>
  /** Calls for every change of an item, while the item is locked, in the order of the changes. */
  watch(watch: Watch): () => void
  close(): Promise<void>
}

export async function startEmulator(): Promise<Emulator> {
  completeEmulator()
  const server = dynalite({ createTableMs: 0 })
  await listen(server)
  const lines: Line[] = []
  const ttl = new Map<unknown, unknown>()
  const stops: (() => void)[] = []
  return {
    async openLine(options = {}) {
      const line = await openLine(server, ttl, options.dateSkewMs ?? 0)
      lines.push(line)
      return line
    },
    watch(watch) {
      watches.add(watch)
      const stop = () => void watches.delete(watch)
      stops.push(stop)
      return stop
    },
    async close() {
      for (const stop of stops) stop()
      await Promise.all(lines.map((line) => line.close()))
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

async function openLine(emulator: Server, ttl: Map<unknown, unknown>, dateSkewMs: number): Promise<Line> {
  const seen: Seen[] = []
  const faults: { fault: Fault; matches: (seen: Seen) => boolean; always: boolean }[] = []
  let broken = 0
  const server = createServer(async (incoming, outgoing) => {
    const bytes = Buffer.concat(await incoming.toArray())
    const one = readAsked(incoming, bytes)
    seen.push(one)
    if (dateSkewMs !== 0) outgoing.setHeader('date', new Date(Date.now() + dateSkewMs).toUTCString())
    const at = faults.findIndex(({ matches }) => matches(one))
    const fault = faults[at]
    if (fault !== undefined) {
      if (!fault.always) faults.splice(at, 1)
      broken += 1
      if (fault.fault === 'hang') return
      if (fault.fault !== 'lose') {
        const { status, body } = typeof fault.fault === 'object' ? fault.fault : ANSWERS[fault.fault]
        return answerJson(outgoing, status, body)
      }
      loseReply(outgoing)
    }
    if (answerTtl(one, ttl, outgoing)) return
    passOn(emulator, incoming, bytes, outgoing)
  })
  await listen(server)
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const clients: DynamoDBClient[] = []
  const newClient = (config: Partial<DynamoDBClientConfig> = {}) => {
    const client = new DynamoDBClient({
      endpoint,
      region: 'local',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      ...config,
    })
    clients.push(client)
    return client
  }
  return {
    endpoint,
    client: newClient(),
    newClient,
    seen,
    broken: () => broken,
    breakNext: (fault, matches) => void faults.push({ fault, matches, always: false }),
    breakAll(fault) {
      const all = { fault, matches: () => true, always: true }
      faults.push(all)
      return () => void faults.splice(faults.indexOf(all), 1)
    },
    async close() {
      for (const client of clients) client.destroy()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** The request is done; instead of its reply the connection breaks. */
function loseReply(outgoing: ServerResponse): void {
  outgoing.end = () => {
    outgoing.socket?.destroy()
    return outgoing
  }
}

const listen = (server: Server) =>
  new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve())
  })
