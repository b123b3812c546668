import { fork } from 'node:child_process'
import { once } from 'node:events'
import { SQSClient } from '@aws-sdk/client-sqs'

/** An emulator of SQS; what it does otherwise than AWS is told where a test would rest on it. */
export async function startSqs() {
  const child = fork('test/support/sqs-server-child.mjs')
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  const endpoint = `http://127.0.0.1:${port}`
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const client = new SQSClient({ endpoint, region: 'us-east-1', credentials })
  return {
    client,
    endpoint,
    async close() {
      client.destroy()
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}
