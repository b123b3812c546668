'use server'

import { cookies } from 'next/headers'
import { type Attempted, attemptAsNobody } from '@/app/_server/attempt'
import {
  acceptInvitation,
  type OpenInvitation,
  readInvitation,
} from '@/lib/access/accounts/accept-invitation'
import { endOpenRequests } from '@/lib/actions/end-open-requests'

/** The account that a link opens. Anyone who has its secret may know. */
export const look = async (secret: string): Promise<Attempted<OpenInvitation>> =>
  attemptAsNobody(({ db, clock }) => readInvitation(db, clock, secret))

/** Works while writes are off: a person who was just invited can see what goes on, and stop things. */
export const accept = async (secret: string, password: string): Promise<Attempted<{ email: string }>> =>
  attemptAsNobody(async ({ db, clock, auth }) => {
    const accepted = await acceptInvitation({ db, clock, endOpenRequests }, { secret, password })
    const { name, value, ...rules } = auth.deviceCookie(accepted.email)
    // Guesses at the account from elsewhere do not keep its new person out.
    const jar = await cookies()
    jar.set(name, value, rules)
    return accepted
  })
