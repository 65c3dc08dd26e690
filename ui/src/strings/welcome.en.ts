// Words of the first start.

export const en = {
  welcome: {
    title: 'Welcome to Dockline',
    steps: {
      label: 'Steps',
      choose: 'Your registry',
      test: 'The connection',
      push: 'First push',
    },
    looking: 'Looking in ~/.ssh/config and at your containers…',
    proposals: 'Found on this machine',
    unnamed: 'A registry',
    yours: 'Which registry is yours?',
    test: 'Check the connection',
    byHand: 'Add with all options',
    team: 'I have a team file…',
    testing: (name: string) => `Checking the connection to ${name}`,
    starting: 'Starting…',
    back: 'Back',
    addAnyway: 'Add it anyway',
    pushTitle: (name: string) => `${name} is added. Push something?`,
    setup:
      'One thing is left for docker push in a terminal: this machine has to know the name. Dockline itself pushes without.',
    push: 'These are your newest images. One click sends one there.',
    noImages:
      'There is no image here yet. Build one and it appears under Images, or push an archive that docker save wrote.',
    done: 'Go to my registries',
  },
};
