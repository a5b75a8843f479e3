import { build, installPackages, requireNode } from './set-up.mjs'

requireNode()
installPackages()
build()
