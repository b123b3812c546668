import type { Metadata } from 'next'
import { env } from '@/lib/env'
import { AuthCard } from '../auth-card'
import { InvitationForm } from './invitation-form'

export const metadata: Metadata = { title: 'Invitation' }
export const dynamic = 'force-dynamic'

/** Where an invitation's link leads; its secret stays behind the #, in the browser. */
export default function InvitationPage() {
  return (
    <AuthCard title="Welcome" environment={env().IDEMSCOPE_ENVIRONMENT}>
      <InvitationForm />
    </AuthCard>
  )
}
