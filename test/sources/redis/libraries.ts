import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  IdempotencyAlreadyInProgressError,
  IdempotencyConfig,
  makeIdempotent,
} from '@aws-lambda-powertools/idempotency'
import { CachePersistenceLayer } from '@aws-lambda-powertools/idempotency/cache'
import { Idempotency, IdempotencyError } from '@node-idempotency/core'
import { RedisStorageAdapter } from '@node-idempotency/storage-adapter-redis'
import * as expressIdempotency from 'express-idempotency'
import RedisAdapter from 'express-idempotency-redis-adapter'
import express from 'express4'
import { createClient } from 'redis'

export type Answer = { kind: 'executed' | 'replayed' | 'in_progress'; body: unknown }
type Work = () => Promise<{ status: number; body: Record<string, unknown> }>

/** A service that uses a library as its documentation says. */
export type Service = {
  /** Sends a request with a key; `work` runs where the library lets it. Rejects where the work throws. */
  request(key: string, work: Work): Promise<Answer>
  close(): Promise<void>
}

/** `remainingMs`: of the Lambda's time, null = without its context. */
export async function powertools(url: string, remainingMs: () => number | null): Promise<Service> {
  const client = createClient({ url })
  await client.connect()
  const persistenceStore = new CachePersistenceLayer({ client: client as never })
  const works = new Map<string, Work>()
  return {
    async request(key, work) {
      let ran = false
      works.set(key, work)
      const left = remainingMs()
      const config = new IdempotencyConfig({ expiresAfterSeconds: 3_600, eventKeyJmesPath: 'key' })
      if (left !== null) config.registerLambdaContext({ getRemainingTimeInMillis: () => left } as never)
      const handler = makeIdempotent(
        async (_event: { key: string }) => {
          ran = true
          return (await work()).body
        },
        { persistenceStore, config, keyPrefix: 'payments' },
      )
      try {
        const body = await handler({ key })
        return { kind: ran ? 'executed' : 'replayed', body }
      } catch (error) {
        if (error instanceof IdempotencyAlreadyInProgressError) return { kind: 'in_progress', body: null }
        throw error
      }
    },
    close: async () => client.destroy(),
  }
}

export async function nodeIdempotency(url: string): Promise<Service> {
  const storage = new RedisStorageAdapter({ url })
  await storage.connect()
  const idempotency = new Idempotency(storage)
  return {
    async request(key, work) {
      const request = {
        headers: { 'Idempotency-Key': key },
        path: '/v1/payments',
        method: 'POST',
        body: { amount: 100 },
      }
      try {
        const stored = await idempotency.onRequest(request)
        if (stored !== undefined) return { kind: 'replayed', body: stored.body ?? stored.error }
      } catch (error) {
        if (error instanceof IdempotencyError) return { kind: 'in_progress', body: null }
        throw error
      }
      try {
        const { status, body } = await work()
        await idempotency.onResponse(request, { body, additional: { statusCode: status } })
        return { kind: 'executed', body }
      } catch (error) {
        const said = { status: 500, message: String(error) }
        await idempotency.onResponse(request, { error: said, additional: { statusCode: 500 } })
        throw error
      }
    },
    close: () => storage.disconnect(),
  }
}

type ExpressResponse = {
  status(code: number): ExpressResponse
  set(name: string, value: string): ExpressResponse
  send(text: string): void
}
const NO_WORK = { status: 500, body: {} }

export async function expressService(url: string): Promise<Service> {
  const adapter = new RedisAdapter({ connectionConfig: { url } })
  await adapter.connect()
  const works = new Map<string, Work>()
  const app = express()
  app.use(express.json())
  app.use(expressIdempotency.idempotency({ dataAdapter: adapter as never }))
  app.use('/v1/payments', async (incoming, outgoing) => {
    const [request, response] = [incoming as never, outgoing as unknown as ExpressResponse]
    if (expressIdempotency.getSharedIdempotencyService().isHit(request)) return
    const answer = (status: number, body: unknown) =>
      response.status(status).set('x-executed', '1').send(JSON.stringify(body))
    try {
      const { status, body } = (await works.get(String(incoming.headers['idempotency-key']))?.()) ?? NO_WORK
      answer(status, body)
    } catch (error) {
      answer(500, { error: String(error) })
    }
  })
  const server = createServer(
    (incoming, outgoing) => void app(incoming, outgoing, () => outgoing.end()),
  ).listen(0)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    async request(key, work) {
      works.set(key, work)
      const response = await fetch(`http://127.0.0.1:${port}/v1/payments`, {
        method: 'POST',
        headers: {
          'idempotency-key': key,
          authorization: 'Bearer secret-of-the-caller',
          'content-type': 'application/json',
        },
        body: '{"amount":100}',
      })
      const text = await response.text()
      if (response.status === 409) return { kind: 'in_progress', body: null }
      const kind = response.headers.get('x-executed') === '1' ? 'executed' : 'replayed'
      return { kind, body: JSON.parse(text) }
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
      await adapter.disconnect()
    },
  }
}

/** The recipe of the guides: SET NX, then SET. */
export async function recipe(url: string): Promise<Service> {
  const client = createClient({ url })
  await client.connect()
  return {
    async request(key, work) {
      const name = `idempotency:${key}`
      const begun = await client.set(name, JSON.stringify({ status: 'processing' }), { NX: true, EX: 86_400 })
      if (begun === null) {
        const stored = JSON.parse((await client.get(name)) ?? '{}')
        return stored.status === 'processing'
          ? { kind: 'in_progress', body: null }
          : { kind: 'replayed', body: stored.body }
      }
      const { status, body } = await work()
      await client.set(name, JSON.stringify({ status: 'completed', statusCode: status, body }), {
        EX: 86_400,
      })
      return { kind: 'executed', body }
    },
    close: async () => client.destroy(),
  }
}
