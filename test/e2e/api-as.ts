import { readFileSync } from 'node:fs'
import { type Api, apiClient } from '../support/api'
import { type PersonRole, stateFile } from './people'

/** The API as a person of the set-up calls it, in the session that the set-up began. */
export function apiAs(role: PersonRole = 'operator'): Api {
  const { cookies }: { cookies: { name: string; value: string }[] } = JSON.parse(
    readFileSync(stateFile(role), 'utf8'),
  )
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  return apiClient(process.env.BASE_URL ?? '', { cookie })
}
