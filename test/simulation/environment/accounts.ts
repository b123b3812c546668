import { peopleOf } from '../../access/people'
import type { Environment } from './environment'

/** Who is behind each account: Ada has two, the second of which she invited and let nobody else have. */
export const PERSON_OF = { ada: 'Ada', shadow: 'Ada', bob: 'Bob', pat: 'Pat' } as const
export type Account = keyof typeof PERSON_OF
export const ACCOUNTS = Object.keys(PERSON_OF) as Account[]
export type AccountIds = Record<Account, { userId: string; role: 'admin' | 'approver' }>

/** The accounts, made as people make them; once for all histories of an environment. */
export async function makeAccounts({ db, system }: Pick<Environment, 'db' | 'system'>): Promise<AccountIds> {
  const people = peopleOf(db, system.clock)
  const ada = await people.fromHost('Ada', 'admin')
  const bob = await people.fromHost('Bob', 'admin')
  const pat = await people.fromHost('Pat', 'approver')
  await people.invited('Ada', 'Shadow')
  const shadow = await people.raised('Shadow', 'approver', 'Ada', 'Bob')
  return {
    ada: { userId: ada.userId, role: 'admin' },
    bob: { userId: bob.userId, role: 'admin' },
    pat: { userId: pat.userId, role: 'approver' },
    shadow: { userId: shadow.userId, role: 'approver' },
  }
}
