import { afterAll, expect, it } from 'vitest'
import { startProgram } from '../../package/start-program'
import { KEY_SECRET } from '../../support'
import type { Served } from '../harness'
import { describeAdapter, type World } from '../suite'
import { createNextProject } from './project'

let project: Awaited<ReturnType<typeof createNextProject>> | undefined
let program: Served | undefined

afterAll(async () => {
  await program?.close()
  await project?.remove()
})

async function start({ fixture, control }: World): Promise<Served> {
  project = await createNextProject()
  const started = await startProgram(
    project.folder,
    (port) => ['next', 'dev', '--hostname', '127.0.0.1', '--port', String(port)],
    { ...process.env, DATABASE_URL: fixture.url, CONTROL_URL: control.url, KEY_SECRET },
  )
  program = { url: started.url, close: async () => started.stop() }
  return program
}

describeAdapter(
  'Next route handler',
  {
    start: async (_, world) => ({ url: (program ?? (await start(world))).url, close: async () => {} }),
    bodies: { plain: {} },
    usual: 'plain',
    errors: 'answer',
    streams: true,
    compresses: true,
    addsLate: true,
  },
  ({ url, control, newKey }) => {
    async function post(act: string, key: string) {
      const response = await fetch(`${url()}/v1/next/${act}`, {
        method: 'POST',
        redirect: 'manual',
        headers: { 'idempotency-key': key },
      })
      const { status, headers } = response
      await response.body?.cancel()
      return [status, headers.get('location'), headers.has('idempotent-replayed')]
    }

    it.each([
      ['redirect', 307, '/v1/elsewhere'],
      ['not-found', 404, null],
      ['plain', 201, null],
    ])('%s is an answer, replayed; after() runs after the first', async (act, status, location) => {
      const key = newKey()
      expect(await post(act, key)).toEqual([status, location, false])
      expect(await post(act, key)).toEqual([status, location, true])
      await expect.poll(() => control().count('after', key)).toBe(1)
    })
  },
)
