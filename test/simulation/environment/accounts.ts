import type pg from 'pg'
import { peopleOf } from '../../access/people'
import type { Environment } from './environment'

/**
 * Who is behind each account at first: Ada has two, the second of which she invited and let nobody else have. Carl has
 * none before he is invited.
 */
export const PERSON_OF = {
  ada: 'Ada',
  shadow: 'Ada',
  bob: 'Bob',
  pat: 'Pat',
  cleo: 'Cleo',
  carl: 'Carl',
} as const
export type Account = keyof typeof PERSON_OF
export const ACCOUNTS = Object.keys(PERSON_OF) as Account[]
/** Those that are there from the beginning. */
export const FIRST_ACCOUNTS = ['ada', 'shadow', 'bob', 'pat', 'cleo'] as const
export type FirstAccount = (typeof FIRST_ACCOUNTS)[number]
export type AccountIds = Record<FirstAccount, { userId: string; role: 'admin' | 'approver' }>

/** The accounts, made as people make them; once for all histories of an environment. */
export async function makeAccounts({ db, system }: Pick<Environment, 'db' | 'system'>): Promise<AccountIds> {
  const people = peopleOf(db, system.clock)
  const ada = await people.fromHost('Ada', 'admin')
  const bob = await people.fromHost('Bob', 'admin')
  const pat = await people.fromHost('Pat', 'approver')
  await people.invited('Ada', 'Shadow')
  const shadow = await people.raised('Shadow', 'approver', 'Ada', 'Bob')
  const cleo = await people.fromHost('Cleo', 'admin')
  return {
    ada: { userId: ada.userId, role: 'admin' },
    bob: { userId: bob.userId, role: 'admin' },
    pat: { userId: pat.userId, role: 'approver' },
    shadow: { userId: shadow.userId, role: 'approver' },
    cleo: { userId: cleo.userId, role: 'admin' },
  }
}

/** What a history can change of them. */
const OF_ACCOUNTS = ['"user"', 'account', 'principal_link']

/** Keeps the accounts as they are now. Returns the statements that bring them back. */
export async function keepAccounts(admin: pg.Pool): Promise<string> {
  const kept = (name: string) => `kept.${name}`
  const copies = OF_ACCOUNTS.map((name) => `CREATE TABLE ${kept(name)} AS TABLE ${name}`)
  await admin.query(`CREATE SCHEMA kept; ${copies.join('; ')}`)
  const restored = OF_ACCOUNTS.map(
    (name) => `DELETE FROM ${name}; INSERT INTO ${name} OVERRIDING SYSTEM VALUE TABLE ${kept(name)}`,
  )
  return [...restored, `SELECT setval('principal_link_id_seq', (SELECT max(id) FROM principal_link))`].join(
    '; ',
  )
}
