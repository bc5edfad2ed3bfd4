import * as facts from '../protocol/facts/accounts.ts'
import { defineCollection } from '../store/collection.ts'

export const users = defineCollection({ prefix: 'accounts/users/', version: 1, schema: facts.user })
export const names = defineCollection({ prefix: 'accounts/names/', version: 1, schema: facts.name })
export const sessions = defineCollection({ prefix: 'accounts/sessions/', version: 1, schema: facts.session })
export const invitations = defineCollection({
  prefix: 'accounts/invitations/',
  version: 1,
  schema: facts.invitation,
})
export const devices = defineCollection({ prefix: 'accounts/devices/', version: 1, schema: facts.device })
/** A single fact: its id is empty. */
export const administrators = defineCollection({
  prefix: 'accounts/administrators',
  version: 1,
  schema: facts.administrators,
})
