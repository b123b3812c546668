import { createServer } from 'node:http'
import { join } from 'node:path'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import dynalite from 'dynalite'
import { createDynamoStore } from '../../sdk/stores/dynamodb'
import { tiers } from '../service/tiers'
import { answerItemsOfFailedConditions, answerTtl, passOn, readAsked } from './complete-emulator'
import { credentials } from './credentials'
import { tableName } from './names'

export interface RunningStore {
  stop(): Promise<void>
}

/** DynamoDB, emulated in this process and kept in a folder, with the table of the service's store. */
export async function startDynamo(url: string, dataDir: string): Promise<RunningStore> {
  answerItemsOfFailedConditions()
  const emulator = dynalite({ createTableMs: 0, path: join(dataDir, 'dynamodb') })
  // A table that is there from an earlier run had it switched on.
  const ttl = new Map<unknown, unknown>([[tableName, 'ttl']])
  const server = createServer(async (incoming, outgoing) => {
    const bytes = Buffer.concat(await incoming.toArray())
    const { operation } = { operation: String(incoming.headers['x-amz-target']) }
    // Only what is about TTL has to be read here.
    if (operation.endsWith('TimeToLive') && answerTtl(readAsked(incoming, bytes), ttl, outgoing)) return
    passOn(emulator, incoming, bytes, outgoing)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(Number(new URL(url).port), '127.0.0.1', () => resolve())
  })
  const client = new DynamoDBClient({ endpoint: url, region: 'local', credentials })
  const store = createDynamoStore({ client, tableName })
  await store.createTable()
  for (const { name, ttlMs } of Object.values(tiers)) await store.registerTier(name, ttlMs)
  store.close()
  client.destroy()
  return {
    async stop() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
