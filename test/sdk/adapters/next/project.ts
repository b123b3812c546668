import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { packSdk, run } from '../../package/consumer'

const FILES = {
  'app/layout.jsx':
    'export default function Layout({ children }) { return <html><body>{children}</body></html> }',
  'app/options.ts': `import { createPostgresStore } from '@idemscope/sdk/stores/postgres'
import pg from 'pg'

export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
pool.on('error', () => {})
export const options = { store: createPostgresStore({ pool }), keySecret: process.env.KEY_SECRET ?? '' }`,
  'app/v1/payments/route.ts': `import { options } from '../../options'
import { createPayments } from '../../payments'

const serve = createPayments(options, process.env.CONTROL_URL ?? '')
export { serve as GET, serve as HEAD, serve as OPTIONS, serve as POST }`,
  'app/v1/next/[act]/route.ts': `import { idempotent } from '@idemscope/sdk'
import { notFound, redirect } from 'next/navigation'
import { after } from 'next/server'
import { options } from '../../../options'

type Extra = { params: Promise<{ act: string }> }

export const POST = idempotent<unknown, Extra>(
  async (_, ctx) => {
    const { act } = await ctx.extra.params
    after(async () => {
      await fetch(process.env.CONTROL_URL + '/after?key=' + ctx.key, { method: 'POST' })
    })
    if (act === 'redirect') redirect('/v1/elsewhere')
    if (act === 'not-found') notFound()
    return Response.json({ act }, { status: 201 })
  },
  { ...options, scope: async (_, { params }) => ({ caller: 'web', route: '/v1/next/' + (await params).act }) },
)`,
  // Else Next looks for one further up, and finds the console's.
  'instrumentation.ts': 'export function register() {}',
  'next.config.mjs': `export default {
  headers: async () => [{ source: '/:path*', headers: [{ key: 'x-late', value: 'yes' }] }],
}`,
}

/**
 * A project of Next's App Router with the packed SDK, below this repository: Next and what it needs are found there, and
 * nothing has to come from the registry.
 */
export async function createNextProject(): Promise<{ folder: string; remove: () => Promise<void> }> {
  await mkdir('.test', { recursive: true })
  const folder = await mkdtemp(resolve('.test/next-'))
  const { path } = await packSdk(folder)
  const sdk = join(folder, 'node_modules/@idemscope/sdk')
  await mkdir(sdk, { recursive: true })
  await run('tar', ['-xzf', path, '-C', sdk, '--strip-components=1'])
  const payments = await readFile('test/sdk/adapters/payments.ts', 'utf8')
  const files = {
    ...FILES,
    'package.json': JSON.stringify({ name: 'project', private: true, type: 'module' }),
    'app/payments.ts': payments.replace('@/sdk/idempotent', '@idemscope/sdk'),
  }
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}
