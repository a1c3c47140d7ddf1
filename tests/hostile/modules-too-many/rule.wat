(component {{modules}})
