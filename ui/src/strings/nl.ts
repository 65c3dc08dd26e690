// Every word on the screen, in Dutch: the same areas as in en.ts.

import { nl as add } from './add.nl';
import { nl as contents } from './contents.nl';
import { nl as doctor } from './doctor.nl';
import { nl as images } from './images.nl';
import { nl as prompt } from './prompt.nl';
import { nl as registries } from './registries.nl';
import { nl as settings } from './settings.nl';
import { nl as setup } from './setup.nl';
import { nl as spoken } from './spoken.nl';
import { nl as transfers } from './transfers.nl';
import { nl as welcome } from './welcome.nl';
import { nl as window } from './window.nl';
import type { Strings } from '.';

export const nl: Strings = {
  ...window,
  ...welcome,
  ...registries,
  ...add,
  ...setup,
  ...images,
  ...transfers,
  ...contents,
  ...doctor,
  ...settings,
  ...prompt,
  ...spoken,
};
