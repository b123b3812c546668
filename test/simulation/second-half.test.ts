import { inject } from 'vitest'
import { expectNothingBroken } from './expect-nothing-broken'

expectNothingBroken(85, () => inject('postgresUrl'))
