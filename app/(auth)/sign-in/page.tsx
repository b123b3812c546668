import type { Metadata } from 'next'
import { redirect } from 'next/navigation'
import { signedIn } from '@/app/_server/context'
import { Logo } from '@/app/_ui/logo'
import { env } from '@/lib/env'
import { returnPath } from './return-path'
import { SignInForm } from './sign-in-form'

export const metadata: Metadata = { title: 'Sign in' }
export const dynamic = 'force-dynamic'

type Props = { searchParams: Promise<Record<string, string | string[] | undefined>> }

export default async function SignInPage({ searchParams }: Props) {
  const next = returnPath((await searchParams).next)
  if ((await signedIn()) !== null) redirect(next)
  const { IDEMSCOPE_DEMO: demo, IDEMSCOPE_ENVIRONMENT: environment } = env()
  return (
    <main className="grid min-h-dvh place-items-center px-4 py-10">
      <div className="w-full max-w-[22.5rem]">
        <div className="mb-6 flex items-center justify-center gap-2.5 font-semibold text-xl">
          <Logo size={26} /> Idemscope
        </div>
        <section className="rounded-m border border-line bg-surface p-6 shadow-card">
          <h1 className="font-semibold text-xl">Sign in</h1>
          <p className="mt-1 mb-5 text-ink-2">
            to <span className="font-medium text-ink uppercase tracking-wide">{environment}</span>
          </p>
          <SignInForm next={next} />
        </section>
        {demo ? (
          <DemoAccounts />
        ) : (
          <p className="mt-4 px-1 text-ink-2 text-s">An administrator makes accounts.</p>
        )}
      </div>
    </main>
  )
}

function DemoAccounts() {
  return (
    <section className="mt-4 rounded-m border border-line bg-sunken px-4 py-3 text-ink-2 text-s">
      <h2 className="font-semibold text-ink">Accounts of the demo</h2>
      <p className="mt-1">
        <code className="font-mono text-ink">operator@idemscope.local</code> proposes and acts,{' '}
        <code className="font-mono text-ink">approver@idemscope.local</code> approves.
      </p>
      <p className="mt-1">
        <code className="font-mono text-ink">npm run demo</code> printed their passwords; they are also in{' '}
        <code className="break-all font-mono text-ink">demo/sign-ins.json</code> of the data folder.
      </p>
    </section>
  )
}
