import type { MainEnv } from '../env'
import { startDynamo } from './dynamodb'
import { type RedisServer, startRedis } from './redis'

type StoresEnv = Pick<
  MainEnv,
  'DEMO_DATA_DIR' | 'DEMO_DYNAMODB_URL' | 'DEMO_REDIS_URL' | 'DEMO_REDIS_CONSOLE_URL'
>

/** Starts the stores that are no PostgreSQL. What is to be stopped is added to `running` as soon as it runs. */
export async function startStores(env: StoresEnv, running: { stop(): Promise<void> }[]): Promise<void> {
  await Promise.all([
    env.DEMO_DYNAMODB_URL === ''
      ? undefined
      : startDynamo(env.DEMO_DYNAMODB_URL, env.DEMO_DATA_DIR).then((started) => running.push(started)),
    env.DEMO_REDIS_URL === '' ? undefined : keepRedis(env).then((kept) => running.push(kept)),
  ])
}

const restartDelayMs = 500

/** It is started again should it ever end by itself, like the service. */
async function keepRedis(env: StoresEnv): Promise<{ stop(): Promise<void> }> {
  let stopped = false
  let running: RedisServer
  const start = async () => {
    running = await startRedis(env.DEMO_REDIS_URL, env.DEMO_REDIS_CONSOLE_URL, env.DEMO_DATA_DIR)
    if (stopped) return running.stop()
    void running.ended.then(() => {
      if (stopped) return
      console.error('the demo’s Redis ended unexpectedly; it is started again')
      setTimeout(again, restartDelayMs)
    })
  }
  const again = () => {
    if (!stopped) start().catch((error: unknown) => console.error('the demo’s Redis did not start:', error))
  }
  await start()
  // No server outlives this process, in whatever way it ends.
  process.on('exit', () => running.killNow())
  return {
    async stop() {
      stopped = true
      await running.stop()
    },
  }
}
