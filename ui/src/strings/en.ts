// Every word on the screen, in English; each area of the window has a file of its own.

import { en as add } from './add.en';
import { en as contents } from './contents.en';
import { en as doctor } from './doctor.en';
import { en as images } from './images.en';
import { en as prompt } from './prompt.en';
import { en as registries } from './registries.en';
import { en as settings } from './settings.en';
import { en as setup } from './setup.en';
import { en as spoken } from './spoken.en';
import { en as transfers } from './transfers.en';
import { en as welcome } from './welcome.en';
import { en as window } from './window.en';

export const en = {
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
