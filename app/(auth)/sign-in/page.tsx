import type { Metadata } from 'next'
import { redirect } from 'next/navigation'
import { signedIn } from '@/app/_server/context'
import { env } from '@/lib/env'
import { AuthCard } from '../auth-card'
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
    <AuthCard
      title="Sign in"
      environment={environment}
      below={
        demo ? (
          <DemoAccounts />
        ) : (
          <p className="mt-4 px-1 text-ink-2 text-s">An administrator invites people.</p>
        )
      }
    >
      <SignInForm next={next} />
    </AuthCard>
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
