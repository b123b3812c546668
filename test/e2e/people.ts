import { readFileSync } from 'node:fs'

export type PersonRole = 'operator' | 'approver' | 'viewer' | 'admin'

export type Person = { role: string; email: string; password: string; state: string }

const PEOPLE_FILE = '.test/e2e-people.json'

/** Written by the set-up: who can sign in, and the file of their session. */
export const peopleFile = PEOPLE_FILE

export const stateFile = (role: string): string => `.test/e2e-${role}.json`

/** Throws when the set-up made no such person. */
export function person(role: PersonRole): Person {
  const people: Person[] = JSON.parse(readFileSync(PEOPLE_FILE, 'utf8'))
  const found = people.find((each) => each.role === role)
  if (found === undefined) throw new Error(`the set-up has no ${role}`)
  return found
}
