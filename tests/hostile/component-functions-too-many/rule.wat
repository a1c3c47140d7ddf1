(component (type $resource (resource (rep i32))) {{functions}})
