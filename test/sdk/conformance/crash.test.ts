import { createDynamoFixture } from '../dynamodb/fixture'
import { createRedisFixture, TTL_MS } from '../redis/fixture'
import { createStoreFixture } from '../support'
import { describeCrashes } from './crashes'

describeCrashes('PostgreSQL', createStoreFixture)
describeCrashes('Redis', async () => {
  const fixture = createRedisFixture()
  const { url, port } = await fixture.server()
  const store = await fixture.store({ port })
  await store.registerTier('default', TTL_MS)
  return { url, store, close: fixture.close }
})
describeCrashes('DynamoDB', async () => {
  const { line, tableName, store, close } = await createDynamoFixture()
  return { url: `${line.endpoint.replace('http:', 'dynamodb:')}/${tableName}`, store, close }
})
