import { inject } from 'vitest'
import { expectNothingBroken } from './expect-nothing-broken'

expectNothingBroken(1, () => inject('postgresUrl'))
