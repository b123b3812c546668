import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'

const LIBRARY = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib'].map(
  (folder) => `${folder}/librdkafka.so.1`,
)

export const hasKafka = () => LIBRARY.some((path) => existsSync(path))

/** Kafka's protocol with a log in memory: real brokers of librdkafka's own tests. */
export async function startKafka() {
  const child: ChildProcess = fork('test/support/kafka-brokers-child.ts', { execArgv: ['--import', 'tsx'] })
  const [{ brokers }] = (await once(child, 'message')) as [{ brokers: string[] }]
  async function tell(command: object): Promise<void> {
    const done = once(child, 'message')
    child.send(command)
    await done
  }
  return {
    brokers,
    createTopic: (topic: string, partitions: number) => tell({ name: 'createTopic', topic, partitions }),
    down: () => tell({ name: 'down' }),
    up: () => tell({ name: 'up' }),
    /** The next answers to this API are these errors. */
    errors: (api: number, ...codes: number[]) => tell({ name: 'errors', api, codes }),
    /** The next answer to this API is lost, with its connection. */
    dropReplyOf: (api: number) => tell({ name: 'dropReplyOf', api }),
    async close() {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}
