import { z } from 'zod'
import { endpoint, settled } from './endpoint.ts'
import { Failure } from './failure.ts'
import { optional, required, text, wholeNumber } from './parameters.ts'

const longest = 2_000

export const getChatMessages = endpoint(
  z.object({ since: optional(wholeNumber(0)) }),
  async ({ listening, accounts }, { signal }, { since = 0 }) => {
    const said = await listening.messages(since, signal)
    const chatMessage = said.map(({ user, text, at }) => ({
      username: accounts.user(user)?.name ?? '',
      time: at,
      message: text,
    }))
    return { chatMessages: { chatMessage } }
  },
)

export const addChatMessage = endpoint(
  z.object({ message: required(text) }),
  async (parts, { viewer, signal }, { message }) => {
    if (message === '' || message.length > longest) {
      throw new Failure(10, `The parameter 'message' is not valid: 1 to ${longest} characters`)
    }
    await settled(parts, await parts.listening.say(viewer, message, signal), signal)
    return {}
  },
)
