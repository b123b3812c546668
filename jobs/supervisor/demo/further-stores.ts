import { spawnSync } from 'node:child_process'
import { freePort } from '../embedded/free-port'
import type { Options } from '../options'
import type { Secrets } from '../secrets'
import type { FurtherStores } from './demo-sources'

/** Addresses for those of the stores that this machine can run; says what is left out. */
export async function chooseFurtherStores(
  { stores }: Options,
  { servicePassword, sourcePassword }: Pick<Secrets, 'servicePassword' | 'sourcePassword'>,
  path: string,
): Promise<FurtherStores> {
  const wantsRedis = stores.includes('redis')
  const hasRedis =
    wantsRedis &&
    spawnSync('redis-server', ['--version'], { env: { PATH: path, NODE_ENV: 'production' } }).status === 0
  if (wantsRedis && !hasRedis)
    console.log(
      'The demo’s store on Redis is left out: there is no redis-server on the PATH. To get it: apt install redis-server, or brew install redis.',
    )
  const redisPort = hasRedis ? await freePort() : 0
  const redisUrl = (user: string, password: string) => `redis://${user}:${password}@127.0.0.1:${redisPort}`
  return {
    dynamodb: stores.includes('dynamodb') ? { url: `http://127.0.0.1:${await freePort()}` } : null,
    redis: hasRedis
      ? {
          serviceUrl: redisUrl('tickets', servicePassword),
          consoleUrl: redisUrl('idemscope_source', sourcePassword),
        }
      : null,
  }
}
