import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { LibrarySummary } from '../../../src/protocol/api/catalog.ts'
import { usersQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { Choice, Switch, TextField } from '../../components/controls.tsx'
import { FormDialog } from '../../components/form-dialog.tsx'
import { Bones, Loaded } from '../../components/states.tsx'
import { useWords } from '../../i18n/i18n.tsx'

/** The name of a library, and who sees it. Administrators always do. */
export function VisibilityDialog({ library, onClose }: { library: LibrarySummary; onClose(): void }) {
  const api = useApi()
  const { say } = useWords()
  const queries = useQueryClient()
  const users = useQuery(usersQuery(api))
  const [name, setName] = useState(library.name)
  const [everyone, setEveryone] = useState(library.visibleTo === 'everyone')
  const [chosen, setChosen] = useState<readonly string[]>(
    library.visibleTo === 'everyone' ? [] : library.visibleTo,
  )

  const save = async () => {
    await api.changeLibrary(library.id, {
      name: name.trim(),
      visibleTo: everyone ? 'everyone' : [...chosen],
    })
    await queries.invalidateQueries({ queryKey: ['libraries'] })
    onClose()
  }
  return (
    <FormDialog title={library.name} action={say('save')} onSubmit={save} onClose={onClose}>
      <TextField label={say('name')} value={name} maxLength={200} onChange={setName} />
      <Choice
        label={say('visibility')}
        value={everyone ? 'everyone' : 'some'}
        onChange={(value) => setEveryone(value === 'everyone')}
        options={[
          { value: 'everyone', label: say('everyone') },
          { value: 'some', label: say('chosenUsers') },
        ]}
      />
      {everyone ? null : (
        <Loaded query={users} bones={<Bones shape="line" count={3} />}>
          {({ items }) => (
            <div>
              {items
                .filter((user) => user.role !== 'administrator')
                .map((user) => (
                  <Switch
                    key={user.id}
                    checked={chosen.includes(user.id)}
                    onChange={(checked) =>
                      setChosen(checked ? [...chosen, user.id] : chosen.filter((id) => id !== user.id))
                    }
                  >
                    {user.name}
                  </Switch>
                ))}
              <p className="fine">{say('administratorsSeeAll')}</p>
            </div>
          )}
        </Loaded>
      )}
    </FormDialog>
  )
}
